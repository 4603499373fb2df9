// One RSS feed a topic by pagination; the articles themselves are collected, not written.
export default function (config) {
  config.setUseGitIgnore(false);
  config.setQuietMode(true);
  config.addGlobalData("permalink", false);
  config.addFilter("escape_xml", (text) =>
    String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]),
  );
  config.addCollection("byTopic", (api) => {
    const topics = new Map();
    for (const item of api.getFilteredByGlob("articles/*.md")) {
      for (const name of item.data.topics ?? []) {
        if (!topics.has(name)) topics.set(name, []);
        topics.get(name).push(item);
      }
    }
    return [...topics].map(([name, items]) => ({
      name,
      slug: name.toLowerCase().replaceAll(" ", "-"),
      items: items.sort((a, b) => b.data.publishedDateTime - a.data.publishedDateTime).slice(0, 50),
    }));
  });
  return { dir: { output: "public" }, markdownTemplateEngine: false, templateFormats: ["md", "njk"] };
}
