# One RSS feed a topic, as a site's own generator would make them.
class TopicFeeds < Jekyll::Generator
  def generate(site)
    by_topic = Hash.new { |topics, name| topics[name] = [] }
    site.collections["articles"].docs.each { |doc| (doc.data["topics"] || []).each { |name| by_topic[name] << doc } }
    by_topic.each do |name, docs|
      page = Jekyll::PageWithoutAFile.new(site, site.source, "feeds", "#{Jekyll::Utils.slugify(name)}.xml")
      newest = docs.max_by(50) { |doc| doc.data["publishedDateTime"] }
      page.data.merge!("layout" => "feed", "topic" => name, "articles" => newest)
      site.pages << page
    end
  end
end
