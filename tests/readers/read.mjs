// Reads {"name": "document", …} from standard input, and prints what each parser finds in the first entry.
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { extractFromXml } from "@extractus/feed-extractor";
import { parseFeed as rowan } from "@rowanmanning/feed-parser";
import { XMLParser } from "fast-xml-parser";
import FeedParser from "feedparser";
import { parseFeed as feedsmith } from "feedsmith";
import { parseFeed as partytime } from "podcast-partytime";
import Parser from "rss-parser";

const first = (value) => (Array.isArray(value) ? value[0] : value);
const text = (value) => (value && typeof value === "object" ? value["#text"] : value);

const parsers = {
  "fast-xml-parser": (xml) => {
    const parsed = new XMLParser({ ignoreAttributes: false }).parse(xml);
    const item = first(parsed.rss ? parsed.rss.channel.item : parsed.feed.entry);
    return {
      title: text(item.title),
      link: parsed.rss ? item.link : first(item.link)["@_href"],
      summary: text(item.description ?? item.summary),
      content: text(item["content:encoded"] ?? item.content),
      category: parsed.rss ? first(item.category) : first(item.category)["@_term"],
      image: first(item["media:content"])["@_url"],
      id: text(item.guid ?? item.id),
    };
  },
  feedsmith: (xml) => {
    const { feed } = feedsmith(xml);
    const item = (feed.items ?? feed.entries)[0];
    return {
      title: item.title?.value ?? item.title,
      link: item.link ?? item.links[0].href,
      summary: item.description ?? item.summary?.value ?? item.summary,
      content: item.content?.encoded ?? item.content?.value ?? item.content,
      category: item.categories[0].name ?? item.categories[0].term,
      image: item.media.contents[0].url,
      id: item.guid?.value ?? item.id,
    };
  },
  "rss-parser": async (xml) => {
    const item = (await new Parser().parseString(xml)).items[0];
    return { title: item.title, link: item.link, content: item["content:encoded"] ?? item.content };
  },
  "@rowanmanning/feed-parser": (xml) => {
    const item = rowan(xml).items[0];
    return { title: item.title, link: item.url, image: item.media[0].url, id: item.id };
  },
  "@extractus/feed-extractor": (xml) => {
    const item = extractFromXml(xml, { descriptionMaxLen: 0 }).entries[0];
    return { title: item.title, link: item.link, id: item.id };
  },
  feedparser: (xml) =>
    new Promise((resolve, reject) => {
      const parser = new FeedParser();
      let found;
      parser.on("readable", () => {
        for (let item; (item = parser.read()); ) found ??= item;
      });
      parser.on("error", reject);
      parser.on("end", () =>
        resolve({
          link: found.link,
          content: found.description,
          category: found.categories[0],
          id: found.guid,
        }),
      );
      Readable.from([xml]).pipe(parser);
    }),
  "podcast-partytime": (xml) => {
    const feed = partytime(xml, { allowMissingGuid: false });
    return feed && { title: feed.title, author: feed.author, items: feed.items, value: feed };
  },
};

const documents = JSON.parse(readFileSync(0, "utf8"));
const found = {};
for (const [name, { xml, by }] of Object.entries(documents)) {
  found[name] = {};
  for (const parser of by) found[name][parser] = await parsers[parser](xml);
}
console.log(JSON.stringify(found));
