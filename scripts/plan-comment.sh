#!/usr/bin/env bash
# plan-comment.sh BRANCH OUTPUT: writes a comment for a pull request: what is wrong with the articles in BRANCH, and
# what the bot would post after the merge, by the program and the settings of this folder. BRANCH is a checkout of the
# pull request; only its articles (in CONTENT, "content" unless set) and the rules in its config.yaml are read.
set -uo pipefail
branch=$1
output=$2
content=$branch/${CONTENT:-content}
most=30000 # of each part; GitHub takes 65,536 characters

# An indented block ends at no line that a title or a path could be, and mentions nobody.
block() { head -c "$most" | sed 's/^/    /'; }

plan=(flask bot plan)
[[ ! -f $branch/config.yaml ]] || plan+=(--config "$branch/config.yaml")
if [[ -d $content ]]; then
    plan+=(--content "$content")
    checked=$(flask articles check --content "$content" 2>&1)
    status=$?
else
    checked="there is no folder $(basename "$content")"
    status=1
fi
planned=$("${plan[@]}" 2>&1)
planning=$?
((status)) || status=$planning
{
    printf '### What the bot would post after the merge\n\n'
    block <<<"$planned"
    printf '\n### The articles\n\n'
    block <<<"$checked"
} >"$output"
[[ -z ${GITHUB_OUTPUT:-} ]] || printf 'status=%s\n' "$status" >>"$GITHUB_OUTPUT"
