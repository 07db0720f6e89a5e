import sys, json
import xml.etree.ElementTree as tree
svg = '{http://www.w3.org/2000/svg}'
root = tree.fromstring(sys.stdin.buffer.read())
shape = root.find(svg + 'svg')
json.dump({
    'role': root.get('role'), 'title': root.find(svg + 'title').text,
    'named': root.get('aria-labelledby') == root.find(svg + 'title').get('id'),
    'texts': [t.text for t in root.iter(svg + 'text')],
    'colour': [r.get('fill') for r in root.findall(svg + 'rect')][1],
    'shape': shape[0].tag[len(svg):] + ' ' + (shape[0].get('d') or '')[:6].strip(),
    'fits': sum(float(r.get('width')) for r in root.findall(svg + 'rect')) == float(root.get('width')),
    'active': [e.tag for e in root.iter() if e.tag[len(svg):] in ('script', 'image', 'use', 'a', 'foreignObject')],
}, sys.stdout)
