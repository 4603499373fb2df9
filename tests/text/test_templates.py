"""Templates are removed from prose or replaced by their meaning; code stays; nothing is run."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.text.test_limits import calls
from text import markdown
from text.markup import render_markdown
from text.templates import expand
from text.templates.admonitions import quoted

BASE = "https://owner.example/project"
WATCH = '<a href="https://www.youtube.com/watch?v={}">Watch on YouTube</a>'
GENERATORS = ["jekyll", "eleventy", "hugo", "zola", "pelican", "docusaurus", "astro"]


def expanded(text: str, generator: str, markup: str = "markdown") -> str:
    """Return a text without its templates, on one line."""
    return re.sub(r"\s+", " ", expand(text, generator=generator, markup=markup, base_url=BASE).text).strip()


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a {% include x.html %} b", "a b"),
        ("{% if a %}text{% else %}other{% endif %}", "textother"),
        ("{{ page.title | upcase }}!", "!"),
        ("[a]({{ site.baseurl }}/b)", "[a](/project/b)"),
        ("{{site.url}}{{site.baseurl}}/b", "https://owner.example/project/b"),
        ("{{ '/up/' | relative_url }}", "/project/up/"),
        ('{{ "up" | absolute_url }}', "https://owner.example/project/up"),
        ("[a]({% post_url 2026-01-02-b %})", "[a](/@~2026-01-02-b)"),
        ("[a]({{ site.baseurl }}{% link _posts/b.md %})", "[a](/project/@/_posts/b.md)"),
        ("{% raw %}{{ kept }}{% endraw %}", "{{ kept }}"),
        ("`{% raw %}{% raw %}{% endraw %}` a `{% raw %}{{ b }}{% endraw %}`", "`{% raw %}` a `{{ b }}`"),
        ("{%- comment -%}secret{%- endcomment -%}a", "a"),
        ("{% codeblock A title lang:py mark:1 %}\na < b\n{% endcodeblock %}",
         '<pre><code class="language-py">a &lt; b </code></pre>'),
        ("{% codeblock %}\n# a\n{% endcodeblock %}", "<pre><code># a </code></pre>"),
        ("{% asset_img left a-b.PNG 300 'A title' %}", '<img src="a-b.PNG" alt="">'),
        ("{% asset_img none %}", ""),
        ("{% highlight py x %}\na < b\n{% endhighlight %}",
         '<pre><code class="language-py">a &lt; b </code></pre>'),
        ("{% youtube WJk-Y8 %}", WATCH.format("WJk-Y8")),
        ('{% include youtube.html id="abc" %}', WATCH.format("abc")),
        ("{% gist ann/0123abc %}", '<a href="https://gist.github.com/ann/0123abc">gist.github.com/ann/0123abc</a>'),
        ('{% include figure.html src="/a.png" alt="A" %}', '<img src="/a.png" alt="A">'),
        ("`{{ x }}` and ``{% y %}``", "`{{ x }}` and ``{% y %}``"),
        ("* toc\n{:toc}\n\ntext", "text"),
    ],
)  # fmt: skip
def test_liquid(written: str, shown: str) -> None:
    """What Jekyll would fill in is filled in where its value is known, and removed elsewhere."""
    assert expanded(written, "jekyll") == shown


@pytest.mark.parametrize(
    ("generator", "written", "shown"),
    [
        ("jekyll", "See {% post_url 2026-01-02-b %}.", 'See <a href="/@~2026-01-02-b">2026-01-02-b</a>.'),
        ("jekyll", "{% post_url sub/2026-01-02-b %}", '<a href="/@~sub/2026-01-02-b">2026-01-02-b</a>'),
        ("jekyll", "<li>{% link _posts/b c.md %}</li>", '<li><a href="/@/_posts/b%20c.md">b c.md</a></li>'),
        ("jekyll", "[{% post_url b %}]( {% post_url b %})", "[b]( /@~b)"),
        ("jekyll", "[a]\n\n[a]: {% post_url b %}", "[a] [a]: /@~b"),
        ("jekyll", "<a class=x href = {% post_url b %}>a</a>", "<a class=x href = /@~b>a</a>"),
        ("jekyll", '<a href="{% post_url b %}" title="to {% post_url c %}">a</a>',
         '<a href="/@~b" title="to /@~c">a</a>'),
        ("jekyll", "{{ site.url }}{% post_url b %}", "https://owner.example/@~b"),
        ("hugo", '({{< ref "posts/b.md#part" >}})', '(<a href="/@~posts/b.md#part">b.md</a>)'),
        ("hugo", '**{{% relref "b" %}}**', '**<a href="/@~b">b</a>**'),
        ("hugo", '{{< ref "#part" >}}', "#part"),
    ],
)  # fmt: skip
def test_an_address_as_text_is_a_link(generator: str, written: str, shown: str) -> None:
    """Where readers would see the address of another article, they see a link with its name."""
    assert expanded(written, generator) == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('{{< figure src="a.png" alt="A" caption="B" >}}',
         '<figure> <img src="a.png" alt="A"> <figcaption>B</figcaption> </figure>'),
        ("{{% note %}}Bring **boots**.{{% /note %}}", "Bring **boots**."),
        ("{{< youtube abc >}}", WATCH.format("abc")),
        ('<img src="{{< blogdown/postref >}}a.png">', '<img src="a.png">'),
        ('[a]({{< ref "posts/b.md#part" >}})', "[a](/@~posts/b.md#part)"),
        ("{{< highlight go >}}\na & b\n{{< /highlight >}}",
         '<pre><code class="language-go">a &amp; b </code></pre>'),
        ("{{</* figure */>}}", "`{{< figure >}}`"),
        ("{{/* a comment */}}a", "a"),
        ("{{ x }}", "{{ x }}"),
        ("{{< unknown", "unknown"),
        ("{{< break />}}a", "a"),
    ],
)  # fmt: skip
def test_hugo(written: str, shown: str) -> None:
    """Known shortcodes are replaced by their meaning; others are replaced by their inner text."""
    assert expanded(written, "hugo") == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('{{ youtube(id="abc") }}', WATCH.format("abc")),
        ("{% quote(author='x') %}text{% end %}", "text"),
        ("`{{ x() }}`", "`{{ x() }}`"),
    ],
)
def test_zola(written: str, shown: str) -> None:
    """Known shortcodes of Zola are replaced by their meaning; others by their inner text."""
    assert expanded(written, "zola") == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("import A from 'a';\nexport const b = {\n  c: 1,\n};\n\ntext", "text"),
        ("Do not\nimport this from there.", "Do not import this from there."),
        ("```js\nimport a from 'b';\n```", "```js import a from 'b'; ```"),
        ("a {/* b */} c {props.x} {' d '}", "a c d"),
        ("a\n\n{/* truncate */}\n\nb", "a <!-- more --> b"),
        ("<Tabs><TabItem value='a' x={() => <b>}>in **it**</TabItem></Tabs>", "in **it**"),
        ('<YouTubeIframe src="https://www.youtube.com/embed/WJk-Y8LQlfE" />', WATCH.format("WJk-Y8LQlfE")),
        ('<Link to="/x">y</Link>', '<a href="/x">y</a>'),
        (
            "<img src={require('./a.png').default} alt=\"A\" style={{color: 'red'}} />",
            '<img src="./a.png" alt="A">',
        ),
        ("## A {#part}", "## A {#part}"),
        ("a < b {x + {y}}", "a < b {x + {y}}"),
        ("`<Tabs>` and {`text`}", "`<Tabs>` and text"),
    ],
)
def test_mdx(written: str, shown: str) -> None:
    """Imports, exports, comments and components are removed; text, HTML and code stay."""
    assert expanded(written, "docusaurus", "mdx") == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("::tip\nA *b*.\n::\n\nAfter.",
         "<blockquote><p><strong>Tip</strong></p><p>A <em>b</em>.</p></blockquote><p>After.</p>"),
        ("::read-more{to=\"/x\"}\n::\n\nAfter.", "<p>After.</p>"),
        ("::card\n---\nicon: a\nto: b\n---\n#title\nIn *it*.\n::", "<p>In <em>it</em>.</p>"),
        ("::code-group\n```js\n::tip\n:a{b}\n```\n::",
         '<pre><code class="language-js">::tip\n:a{b}\n</code></pre>'),
        (":nuxt-img{src=\"/a.png\" alt=\"B\" width=\"9\"}",
         '<img src="https://b.example/a.png" alt="B">'),
        ("- :icon{name=\"a\"} B, :button{to=\"/c\"}[D] and `:e{f=\"g\"}`",
         '<ul><li>:icon{name="a"} B, :button{to="/c"}[D] and <code>:e{f="g"}</code></li></ul>'),
        ("- :icon{name=\"a\"} B, :button{to=\"/c\"}[D]", "<ul><li>B, D</li></ul>"),
        (":icon{name=\"c\"}\n\n::note", ""),
        ("::note\n\nNever ends.", "<p>Never ends.</p>"),
        (":::note\nA.\n:::", "<blockquote><p><strong>Note</strong></p><p>A.</p></blockquote>"),
        ("a::b and\nc :: d\n\n::\n\nx :y{z}", "<p>a::b and\nc :: d</p><p>::</p><p>x :y{z}</p>"),
    ],
)  # fmt: skip
def test_components_of_nuxt(written: str, shown: str) -> None:
    """Notes are block quotes, pictures are shown, and of other components the text stays."""
    text = expand(written, generator="astro", markup="markdown").text
    assert re.sub(r">\n+<", "><", render_markdown(text, "https://b.example/")) == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a <span style={{ color: 'red' }} className=\"b\">c</span> {d}", "a <span>c</span> {d}"),
        ("<button onClick={() => 1 > 0}>a</button>", "<button>a</button>"),
        ("<td rowSpan={4}\n  className='b'>c</td>", "<td>c</td>"),
        ("<img src={require('./a.png')} alt='b' /> <Note kind={1}>c</Note>", '<img src="./a.png" alt="b"> c'),
        ("import A from './a.png'\nimport {b} from \"c\";\n\nWords", "Words"),
        ("import taxes rise", "import taxes rise"),
        ("<Image src={'/a.png'} alt='b' /> className", '<img src="/a.png" alt="b"> className'),
        ("<Link to={'/a'}>b</Link> <A.b@c.example> d={e}", '<a href="/a">b</a> <A.b@c.example> d={e}'),
        ("a < b, <https://c.example/?d={e}>, `<f g={h}>` and <i>j</i> {k}",
         "a < b, <https://c.example/?d={e}>, `<f g={h}>` and <i>j</i> {k}"),
    ],
)  # fmt: skip
def test_jsx_in_markdown(written: str, shown: str) -> None:
    """Next.js, Gatsby and others allow it in .md too, where braces that are no attribute's are prose."""
    assert expanded(written, "astro") == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Use {{ mustache }} and {% tag %}, {# x #}, {{", "Use {{ mustache }} and {% tag %}, {# x #}, {{"),
        ("{% notebook a.ipynb %}{% include_code b.py lang:python %}", ""),
        ("{% youtube abcdefgh %}", '<a href="https://www.youtube.com/watch?v=abcdefgh">Watch on YouTube</a>'),
        ("[a]({filename}/b.md)", "[a]({filename}/b.md)"),
        (
            '{% import "a.html" as b %}{% call b.c("d") %}e{% endcall %} [f]({{ SITEURL }}/g)',
            f"e [f]({BASE}/g)",
        ),
        (":octicons-tag-16: a :material-clock:{ .b } c :fontawesome:", "a c :fontawesome:"),
    ],
)
def test_pelican(written: str, shown: str) -> None:
    """Pelican's content has the tags of two plugins only; all other braces are prose."""
    assert expanded(written, "pelican") == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('!!! note "A & *b*"\n    One.\n\n    Two.\n\nAfter.',
         "<q><p><strong>A &amp; <em>b</em></strong></p><p>One.</p><p>Two.</p></q><p>After.</p>"),
        ("???+ danger highlight\n    One.", "<q><p><strong>Danger</strong></p><p>One.</p></q>"),
        ('!!! tip ""\n    One.', "<q><p>One.</p></q>"),
        ("!!! note\n    !!! tip\n        In.",
         "<q><p><strong>Note</strong></p><q><p><strong>Tip</strong></p><p>In.</p></q></q>"),
        ("!!! note\nNot indented.", "<p>!!! note\nNot indented.</p>"),
        ('=== "A & *b*"\n\n    One.\n\n        code\n\n===+ "C"\n    Two.\n\nAfter.',
         "<p><strong>A &amp; <em>b</em></strong></p><p>One.</p><pre><code>code\n</code></pre>"
         "<p><strong>C</strong></p><p>Two.</p><p>After.</p>"),
        ('!!! tip ""\n    === "A"\n        One.', "<q><p><strong>A</strong></p><p>One.</p></q>"),
        ('Heading\n===\n\n=== "a"\nb', '<h1>Heading</h1><p>=== "a"\nb</p>'),
        ("```\n!!! note\n    Code.\n```", "<pre><code>!!! note\n    Code.\n</code></pre>"),
    ],
)  # fmt: skip
def test_the_admonitions_and_tabs_of_python_markdown(written: str, shown: str) -> None:
    """Both, which sites of Pelican and MkDocs have by extensions, may be nested; tabs follow one another."""
    text = expand(written, generator="pelican", markup="markdown").text
    found = render_markdown(text, "https://b.example/").replace("blockquote>", "q>")
    assert re.sub(r">\n+<", "><", found) == shown


@pytest.mark.parametrize(
    ("generator", "written", "shown"),
    [
        ("jekyll", '<div class="a" markdown="1">\n#### B\n{: .c}\n\n- *d*\n</div>\n*e*',
         '<div class="a"><h4>B</h4><ul><li><em>d</em></li></ul></div><p><em>e</em></p>'),
        ("jekyll", "<div>\n*a*\n</div>", "<div>\n*a*\n</div>"),
        ("jekyll", '<div markdown="0">\n*a*\n</div>', '<div markdown="0">\n*a*\n</div>'),
        ("jekyll", '<center markdown="1">*a*</center>', "<center><p><em>a</em></p></center>"),
        ("jekyll", '<div markdown="1">\n<div>\n*a*\n</div>\n*b*\n</div>\n',
         "<div><div>\n*a*\n</div><p><em>b</em></p></div>"),
        ("pelican", "<figure markdown>\n  ![A](a.png)\n</figure>",
         '<figure><p><img src="a.png" alt="A"></p></figure>'),
        ("pelican", "```\n<div markdown>\n```", "<pre><code>&lt;div markdown&gt;\n</code></pre>"),
        ("docusaurus", "<div className='a'>\n  ## B\n  <T c={[1]} />\n</div>\n*d*",
         "<div><h2>B</h2></div><p><em>d</em></p>"),
        ("docusaurus", "<T>\n    *a*\n\n    ```\n    b\n      c\n    ```\n\n    - d\n</T>\n\nf\n\n    e",
         "<p><em>a</em></p><pre><code>b\n  c\n</code></pre><ul><li>d</li></ul><p>f</p>"
         "<pre><code>e\n</code></pre>"),
        ("docusaurus", "a<br />\nb\n\n<p>\n*c*\n</p>", "<p>a<br />\nb</p><p>\n*c*\n</p>"),
        ("hugo", '![a](b.png =30x) ![c](d.png "e" =9x9) `![f](g =1x)` ![h](i =j)',
         '<p><img src="b.png" alt="a"> <img src="d.png" alt="c" title="e"> <code>![f](g =1x)</code> '
         "![h](i =j)</p>"),
        ("astro", "[[A page|b]], [[C#D e]], [[#F]] ![[g h.png|90]] `[[i j]]` [[1]](k)",
         '<p><a href="/@~A%20page">b</a>, <a href="/@~C#d-e">C &gt; D e</a>, <a href="#f">F</a> '
         '<img src="g%20h.png" alt=""> <code>[[i j]]</code> <a href="k">[1]</a></p>'),
        ("astro", "[[Prototype]] and [[ -f a ]]", "<p>[[Prototype]] and [[ -f a ]]</p>"),
        ("astro", "See [[Notes]] and [[the]].",
         '<p>See <a href="/@~Notes">Notes</a> and <a href="/@~the">the</a>.</p>'),
        ("hugo", "[[A page]]", "<p>[[A page]]</p>"),
        ("jekyll", "<ul>\n<li>[[A page]]</li>\n</ul>", "<ul><li>[[A page]]</li></ul>"),
        ("jekyll", "<ul>\n<li>[[A page|b]]</li>\n</ul>",
         '<ul><li><a href="/@~A%20page">b</a></li></ul>'),
        ("jekyll", "<ol>\n<li>a</li>\n</ol>\n## B\n<p>c</p>\n*d*",
         "<ol><li>a</li></ol><h2>B</h2><p>c</p><p><em>d</em></p>"),
        ("jekyll", "<div>\n<p>a</p>\n*b*\n</div>\n*c*", "<div><p>a</p>\n*b*\n</div><p><em>c</em></p>"),
        ("hugo", "<ol>\n<li>a</li>\n</ol>\n## B", "<ol><li>a</li></ol>\n## B"),
        ("pelican", '<a id="b"></a>\n## B\n<br />\n![c](d.png)',
         '<p><a id="b"></a></p><h2>B</h2><p><br /> <img src="d.png" alt="c"></p>'),
        ("jekyll", "<pre>\n<span>a</span>\nb\n</pre>\n*c*",
         "<pre><span>a</span>\nb\n</pre><p><em>c</em></p>"),
        ("docusaurus", "<div>\n<pre>\n        a\n      b\n</pre>\n</div>",
         "<div><pre>\n        a\n      b\n</pre></div>"),
        ("docusaurus", "{% asset_img a.png %}", '<img src="a.png" alt="">'),
        ("jekyll", "<%= render(Note.new) do |note| %>\n*a*\n<% end %>", "<p><em>a</em></p>"),
        ("jekyll", "`<%= render x %>` <%= render x %>", "<p><code>&lt;%= render x %&gt;</code></p>"),
        ("jekyll", "<%= yield %>", "<p>&lt;%= yield %&gt;</p>"),
        ("astro", '{% youtube id="a1" %}',
         '<p><a href="https://www.youtube.com/watch?v=a1">Watch on YouTube</a></p>'),
        ("astro", "{% asset_img a.png 'A' %} {% b %}", '<p><img src="a.png" alt=""> {% b %}</p>'),
    ],
)  # fmt: skip
def test_notations_of_other_parsers(generator: str, written: str, shown: str) -> None:
    """Markdown in HTML blocks, sizes of pictures and wiki links are read where the generator reads them."""
    text = expand(written, generator=generator, markup="markdown").text
    assert re.sub(r">\s*\n\s*<", "><", markdown.render(text)).strip() == shown


def test_admonitions_cost_no_more_than_their_length() -> None:
    """The cost is linear in the length, however many there are and however deep they nest."""
    deep = "\n".join("    " * depth + "!!! note" for depth in range(300))
    for text in (deep, "!!! note\n\n" * 20_000, '!!! a "' + '" ' * 20_000, "!!! " + "a " * 20_000 + '"'):
        assert calls(lambda text=text: quoted(text)) < 400_000  # type: ignore[misc]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (
            "{% highlight bash %}\nls\n{% endhighlight %}",
            '<pre><code class="language-bash">ls\n</code></pre>',
        ),
        ("![a]({{ site.url }}/b.png) {{ page.title }}", "![a](https://b.example/b.png)"),
        ('[a]({{ "/b" | relative_url }})', "[a](/b)"),
        ("Write {{ .Title }} and {% custom %}.", "Write {{ .Title }} and {% custom %}."),
        ("`{{ site.url }}` {{< x >}}", "`{{ site.url }}`"),
    ],
)
def test_what_jekyll_left_in_a_site_of_hugo(written: str, shown: str) -> None:
    """Jekyll's tags and site variables are replaced by their meaning, while Go's templates are prose."""
    text = expand(written, generator="hugo", markup="markdown", base_url="https://b.example").text
    assert text.strip() == shown


@pytest.mark.parametrize("generator", ["jekyll", "hugo", "eleventy", "astro"])
def test_the_mark_of_a_table_of_contents(generator: str) -> None:
    """The mark of a table of contents is not shown, because there is no table."""
    assert (
        expand("a\n\n[[toc]]\n\nb [[x]]", generator=generator, markup="markdown").text == "a\n\n\n\nb [[x]]"
    )


def test_plain_articles_have_no_templates() -> None:
    """Braces in an article without a generator are prose."""
    text = "Use {{ mustache }} and {% tag %}, {{< x >}}."
    assert expand(text, generator="plain", markup="markdown").text == text


def test_unknown_templates_are_named() -> None:
    """Unknown templates are named, so that a check can count the files; control flow is not."""
    text = "{% if a %}{% include b.html %}{% seo %}{% endif %}{% youtube abc %}"
    assert expand(text, generator="jekyll", markup="markdown").unknown == {"include b.html", "seo"}


snippets = st.sampled_from(
    ["{%", "%}", "{{", "}}", "{{<", ">}}", "{{%", "{{</*", "*/>}}", "{#", " #}", "{", "}", "%", "<", ">",
     "raw", " a ", "\n", "\n\n", "{% raw %}", "{% endraw %}", "{% highlight x %}", "{% endhighlight %}",
     "{% include a %}", "{{ a }}", "{{< a >}}", "(b)", "-", "`"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(snippets, max_size=25).map("".join), st.sampled_from(GENERATORS))
def test_no_template_is_left_outside_code(text: str, generator: str) -> None:
    """No delimiter of the generator's language is left in prose, open or closed."""
    text = text.replace("{% raw %}", "").replace("{% endraw %}", "")
    without = re.sub(r"`[^`]*`|<pre>.*?</pre>", " ", expanded(text.replace("`", ""), generator))
    if generator in ("jekyll", "eleventy", "zola"):
        assert "{%" not in without and "{{" not in without
    if generator == "pelican":
        assert "{%" in text or "{%" not in without
    if generator == "hugo":
        assert "{{<" not in without and "{{%" not in without


@settings(max_examples=200, deadline=None)
@given(st.lists(snippets, max_size=20).map("".join), st.sampled_from(GENERATORS))
def test_code_stays_as_it_is(text: str, generator: str) -> None:
    """A fenced block keeps every character except the marks that exempt it from templates."""
    inner = text.replace("`", "")
    if "raw" in inner or "/*" in inner or "*/" in inner:
        return
    fence = f"```\n{inner}\n```"
    assert fence in expand(f"a\n\n{fence}\n\nb", generator=generator, markup="markdown").text


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize(
    "unit",
    [
        "{%",
        "{{",
        "{% raw %}",
        "{{<",
        "{% a %}",
        "`",
        "``` ",
        "```\n",
        "<A ",
        "<A x='",
        "{",
        "{/*",
        "    a\n\n",
        '{{< a "',
        "import a\n",
        "[[a b",
        "![[a|",
        "![a](b =",
        "<div markdown>\n",
        "<a\n    ",
    ],
)
def test_twice_the_text_is_twice_the_work(unit: str, generator: str) -> None:
    """Delimiters that are never closed are not searched for repeatedly."""
    size = 4_000 // len(unit)

    def work(count: int) -> int:
        return calls(lambda: expand(unit * count, generator=generator, markup="markdown"))

    small, large = work(size), work(2 * size)
    assert large <= 2.2 * small + 500


def test_what_templates_become_is_sanitised_like_all_else() -> None:
    """The value of a shortcode is sanitised like all other text."""
    text = """{{< figure src="javascript:alert(1)" caption="<script>alert(1)</script>" >}}
    {{< youtube "a\\"><b" >}}"""
    shown = render_markdown(expand(text, generator="hugo", markup="markdown").text, "https://x.example/")
    assert "javascript" not in shown and "script" not in shown and "<b" not in shown
