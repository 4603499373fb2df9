# Reads {"name": "document", …} from standard input, and prints what Ruby's rss finds in the first entry.
require "json"
require "rss"

found = JSON.parse($stdin.read).to_h do |name, xml|
  item = RSS::Parser.parse(xml, false).items[0]
  fields =
    if item.respond_to?(:guid)
      {
        title: item.title, link: item.link, summary: item.description, content: item.content_encoded,
        category: item.category.content, id: item.guid.content, author: item.dc_creator
      }
    else
      {
        title: item.title.content, link: item.link.href, summary: item.summary.content,
        content: item.content.content, category: item.category.term, id: item.id.content,
        author: item.author.name.content
      }
    end
  [name, fields]
end
puts JSON.generate(found)
