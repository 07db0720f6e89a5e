//! An SVG that nothing can hide in: no script, nothing that moves, nothing that is fetched from
//! elsewhere. A page shows it as a picture, in which browsers run nothing; but its file can be opened by
//! itself, too.

use roxmltree::{Document, Node, ParsingOptions};

const SVG: &str = "http://www.w3.org/2000/svg";
const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// More nodes than this are no logo.
const MOST_NODES: u32 = 20_000;

/// How much is repeated of what is wrong with a drawing, in characters.
const LONGEST_ERROR: usize = 120;

/// Elements that run, embed or move something, by their names in lower case.
const REFUSED: [&str; 16] = [
    "script",
    "handler",
    "listener",
    "foreignobject",
    "iframe",
    "object",
    "embed",
    "audio",
    "video",
    "link",
    "animate",
    "animatecolor",
    "animatemotion",
    "animatetransform",
    "set",
    "discard",
];

/// What a drawing may embed.
const EMBEDDED: [&str; 3] = [
    "data:image/png;base64,",
    "data:image/jpeg;base64,",
    "data:image/webp;base64,",
];

/// Its width and height, in whatever unit; or what is wrong with it and what to do about it.
pub fn checked(bytes: &[u8]) -> Result<(f64, f64), String> {
    let damaged = |problem: &str| format!("is an SVG that is damaged ({problem}); save it anew");
    let text = std::str::from_utf8(bytes).map_err(|_| damaged("it is not UTF-8"))?;
    let text = text.trim_start_matches('\u{feff}');
    if let Some(encoding) = declared_encoding(text)
        && !encoding.eq_ignore_ascii_case("utf-8")
    {
        return Err("is an SVG that is not declared as UTF-8; save it as UTF-8".to_owned());
    }
    let options = ParsingOptions {
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::DtdDetected => {
            "is an SVG with a <!DOCTYPE>, which could define anything; take that line out"
                .to_owned()
        }
        roxmltree::Error::NodesLimitReached => {
            "is an SVG of more than 20000 parts; simplify it".to_owned()
        }
        // It repeats names, which may be endless.
        error => damaged(
            &error
                .to_string()
                .chars()
                .take(LONGEST_ERROR)
                .collect::<String>(),
        ),
    })?;
    for node in document.descendants() {
        if let Some(found) = refused_part(node) {
            return Err(format!(
                "is an SVG with {found}, which a logo does not need; save it without"
            ));
        }
    }
    size(document.root_element())
}

/// What `<?xml … encoding="…"?>` says.
fn declared_encoding(text: &str) -> Option<&str> {
    let (declaration, _) = text.strip_prefix("<?xml")?.split_once("?>")?;
    let (_, value) = declaration.split_once("encoding")?;
    value.split(['"', '\'']).nth(1)
}

/// What of a node runs, moves or leads elsewhere, if anything, in words.
fn refused_part(node: Node) -> Option<String> {
    if node.is_pi() {
        return Some("a processing instruction (<?…?>)".to_owned());
    }
    let name = node.tag_name().name().to_lowercase();
    if REFUSED.contains(&name.as_str()) || node.tag_name().namespace() == Some(XHTML) {
        return Some(format!("a <{name}>"));
    }
    if name == "style" {
        if let Some(inner) = node.children().find(Node::is_element) {
            return Some(format!("a <{}> in its <style>", inner.tag_name().name()));
        }
        // Comments between its texts do not count.
        let texts = node.children().filter(Node::is_text);
        let style: String = texts.filter_map(|text| text.text()).collect();
        if let Some(found) = refused_style(&style) {
            return Some(format!("{found} in its <style>"));
        }
    }
    node.attributes().find_map(|attribute| {
        let name = attribute.name().to_lowercase();
        let value = attribute.value().trim();
        let embedded = EMBEDDED.iter().any(|kind| value.starts_with(kind));
        if name.starts_with("on") {
            Some(format!("a script ({name}=…)"))
        } else if matches!(name.as_str(), "href" | "src" | "base")
            && !value.starts_with('#')
            && !embedded
        {
            Some(format!("a reference to something outside ({name}=…)"))
        } else if attribute.namespace().is_none() {
            refused_style(value).map(|found| format!("{found} in {name}=…"))
        } else {
            None
        }
    })
}

/// What a style leads elsewhere with, if anything.
fn refused_style(style: &str) -> Option<&'static str> {
    let style = style.to_lowercase();
    let outside = style.split("url(").skip(1).any(|rest| {
        let address = rest.trim_start().trim_start_matches(['"', '\'']);
        !address.starts_with('#') && !EMBEDDED.iter().any(|kind| address.starts_with(kind))
    });
    if outside {
        return Some("a reference to something outside (url(…))");
    }
    // A backslash can write any of these in another way.
    [
        "@import",
        "@font-face",
        "image(",
        "image-set(",
        "src(",
        "javascript:",
        "\\",
    ]
    .into_iter()
    .find(|part| style.contains(part))
}

/// By its width and height where both are lengths, else by its viewBox.
fn size(root: Node) -> Result<(f64, f64), String> {
    if root.tag_name().namespace() != Some(SVG) || root.tag_name().name() != "svg" {
        return Err(format!("is no SVG; begin it with <svg xmlns=\"{SVG}\">"));
    }
    let side = |name: &str| root.attribute(name).and_then(length);
    if let (Some(width), Some(height)) = (side("width"), side("height")) {
        return Ok((width, height));
    }
    let numbers: Vec<f64> = root
        .attribute("viewBox")
        .unwrap_or_default()
        .split([' ', ',', '\t', '\n', '\r'])
        .filter(|part| !part.is_empty())
        .map_while(|part| part.parse().ok())
        .collect();
    match numbers.as_slice() {
        &[_, _, width, height] if width > 0.0 && height > 0.0 && (width / height).is_finite() => {
            Ok((width, height))
        }
        _ => Err("is an SVG without a size; give its <svg> a viewBox".to_owned()),
    }
}

/// In pixels; `None` for a share of something else, such as `100%`.
fn length(text: &str) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && !"+-.".contains(c));
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let pixels = match unit {
        "" | "px" => 1.0,
        "pt" => 4.0 / 3.0,
        "pc" => 16.0,
        "mm" => 96.0 / 25.4,
        "cm" => 96.0 / 2.54,
        "in" => 96.0,
        _ => return None,
    };
    let length = number.parse::<f64>().ok()? * pixels;
    (length > 0.0 && length.is_finite()).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is drawn within an `<svg>` of a size.
    fn refusal(drawn: &str) -> Option<String> {
        let svg = format!(
            "<svg xmlns=\"{SVG}\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" xmlns:h=\"{XHTML}\" \
             viewBox=\"0 0 2 1\">{drawn}</svg>"
        );
        checked(svg.as_bytes()).err()
    }

    #[test]
    fn nothing_that_runs_moves_or_leads_elsewhere_is_shown() {
        for drawn in [
            "<script>alert(1)</script>",
            "<s:script xmlns:s=\"http://www.w3.org/2000/svg\"/>",
            "<g onload=\"alert(1)\"/>",
            "<g ONLOAD=\"alert(1)\"/>",
            "<a href=\"javascript:alert(1)\"/>",
            "<a xlink:href=\" &#106;avascript:alert(1)\"/>",
            "<a href=\"https://example.org\"/>",
            "<use href=\"other.svg#part\"/>",
            "<image href=\"//example.org/a.png\"/>",
            "<image href=\"data:image/svg+xml;base64,AAAA\"/>",
            "<image src=\"a.png\"/>",
            "<g xml:base=\"https://example.org/\"/>",
            "<foreignObject/>",
            "<h:img/>",
            "<h:meta http-equiv=\"refresh\" content=\"0\"/>",
            "<animate attributeName=\"href\" to=\"https://example.org\"/>",
            "<set attributeName=\"fill\"/>",
            "<style>@import 'a.css';</style>",
            "<style>@im<!-- -->port 'a.css';</style>",
            "<style><![CDATA[@import 'a.css';]]></style>",
            "<style>@<g/>import 'a.css';</style>",
            "<style>g { fill: url( 'https://example.org/#a') }</style>",
            "<style>g { fill: \\75rl(https://example.org) }</style>",
            "<style>@font-face { font-family: a }</style>",
            "<g style=\"fill: URL(a.svg#b)\"/>",
            "<g fill=\"url(a.svg#b)\"/>",
            "<g style=\"background: image-set('a.png' 1x)\"/>",
            "<?xml-stylesheet href=\"a.css\"?>",
        ] {
            let refusal = refusal(drawn).unwrap_or_else(|| panic!("{drawn} is shown"));
            assert!(refusal.starts_with("is an SVG with "), "{drawn}: {refusal}");
            assert!(refusal.ends_with("; save it without"), "{drawn}: {refusal}");
        }
    }

    #[test]
    fn what_drawing_programs_write_is_shown() {
        for drawn in [
            "<defs><circle id=\"a\"/></defs><use xlink:href=\"#a\"/><use href=\"#a\"/>",
            "<rect fill=\"url(#g)\" style=\"stroke: url( \'#g\' )\"/>",
            "<style type=\"text/css\">.a { fill: #8a1c4a; }</style><text class=\"a\">A &amp; B</text>",
            "<image href=\"data:image/png;base64,AAAA\"/>",
            "<i:grid xmlns:i=\"http://www.inkscape.org/namespaces/inkscape\" i:file=\"C:\\a.png\"/>",
            "<metadata><r:RDF xmlns:r=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><c:type \
             xmlns:c=\"http://creativecommons.org/ns#\" r:resource=\"http://purl.org/dc/dcmitype/StillImage\"/>\
             </r:RDF></metadata>",
        ] {
            assert_eq!(refusal(drawn), None, "{drawn}");
        }
    }

    #[test]
    fn its_size_is_that_of_its_attributes_or_of_its_view_box() {
        let size =
            |attributes: &str| checked(format!("<svg xmlns=\"{SVG}\" {attributes}/>").as_bytes());
        assert_eq!(size("width=\"30\" height=\"10px\""), Ok((30.0, 10.0)));
        assert_eq!(size("width=\"1in\" height=\"72pt\""), Ok((96.0, 96.0)));
        assert_eq!(
            size("width=\"100%\" height=\"9\" viewBox=\"1,2 3.5\n7\""),
            Ok((3.5, 7.0))
        );
        for none in [
            "",
            "width=\"5\"",
            "viewBox=\"0 0 0 1\"",
            "viewBox=\"0 0 1\"",
            "viewBox=\"0 0 NaN 1\"",
        ] {
            assert_eq!(
                size(none),
                Err("is an SVG without a size; give its <svg> a viewBox".to_owned()),
                "{none}"
            );
        }
    }

    #[test]
    fn what_no_browser_would_read_in_the_same_way_is_refused() {
        let deep = format!("<svg xmlns=\"{SVG}\">{}", "<g>".repeat(19_000));
        let many = format!("<svg xmlns=\"{SVG}\">{}</svg>", "<g/>".repeat(20_001));
        for (svg, part) in [
            ("<svg", "damaged"),
            ("<svg viewBox=\"0 0 1 1\"/>", "begin it with <svg xmlns="),
            ("<svg:svg xmlns:svg=\"x\"/>", "begin it with <svg xmlns="),
            (
                "<!DOCTYPE svg [<!ENTITY a \"b\">]><svg/>",
                "take that line out",
            ),
            (
                "<?xml version='1.0' encoding='UTF-7'?><svg/>",
                "save it as UTF-8",
            ),
            (deep.as_str(), "damaged"),
            (many.as_str(), "simplify it"),
        ] {
            let refusal = checked(svg.as_bytes()).expect_err("it is refused");
            assert!(refusal.contains(part), "{part}: {refusal}");
        }
    }
}
