import sys, json, re
import xml.etree.ElementTree as tree
import feedparser

atom = '{http://www.w3.org/2005/Atom}'
text = sys.stdin.buffer.read()
root = tree.fromstring(text)
assert root.tag == atom + 'feed', root.tag
moment = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z')
for of in [root] + root.findall(atom + 'entry'):
    for name in ['id', 'title', 'updated']:
        assert len(of.findall(atom + name)) == 1, (of.tag, name)
        assert of.find(atom + name).text.strip(), (of.tag, name)
    assert moment.fullmatch(of.find(atom + 'updated').text), of.find(atom + 'updated').text
    assert len([l for l in of.findall(atom + 'link') if l.get('rel') == 'alternate']) == 1
assert root.find(atom + 'author/' + atom + 'name').text
own = [l.get('href') for l in root.findall(atom + 'link') if l.get('rel') == 'self']
assert len(own) == 1
known = {'id', 'title', 'updated', 'published', 'link', 'category', 'content', 'entry', 'author', 'name',
         'generator', 'subtitle', 'feed'}
for element in root.iter():
    assert element.tag.startswith(atom) and element.tag[len(atom):] in known, element.tag
read = feedparser.parse(text)
assert not read.bozo, read.bozo_exception
assert read.version == 'atom10', read.version
json.dump({
    'id': read.feed.id, 'title': read.feed.title, 'subtitle': read.feed.subtitle, 'updated': read.feed.updated,
    'self': own[0], 'home': read.feed.link,
    'entries': [{'id': e.id, 'title': e.title, 'updated': e.updated, 'link': e.link,
                 'terms': [t.term for t in e.tags], 'content': e.content[0].value} for e in read.entries],
}, sys.stdout)
