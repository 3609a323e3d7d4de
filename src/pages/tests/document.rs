//! Reads a page as a browser does, as far as our own pages need it.

/// A start tag. The text of `style` and `script` stands with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) text: String,
}

const VOID: [&str; 5] = ["meta", "link", "input", "br", "img"];

impl Element {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The element without what its attributes say.
    fn bones(self) -> (String, Vec<String>) {
        (self.name, self.attributes.into_iter().map(|(name, _)| name).collect())
    }
}

/// The elements in order. Panics where one is not closed in its turn.
pub(crate) fn elements(html: &str) -> Vec<Element> {
    let mut rest = html.strip_prefix("<!doctype html>\n").expect("a doctype at the very start");
    let (mut found, mut open): (Vec<Element>, Vec<String>) = Default::default();
    while let Some((_, behind)) = rest.split_once('<') {
        if let Some(closing) = behind.strip_prefix('/') {
            let (name, behind) = closing.split_once('>').unwrap();
            assert_eq!(open.pop().as_deref(), Some(name), "closed out of turn before {behind:.40}");
            rest = behind;
            continue;
        }
        let (mut element, leaf, behind) = start(behind);
        rest = behind;
        if matches!(element.name.as_str(), "style" | "script") {
            element.text = rest.split("</").next().unwrap().to_owned();
            rest = &rest[element.text.len()..];
        }
        if !leaf && !VOID.contains(&element.name.as_str()) {
            open.push(element.name.clone());
        }
        found.push(element);
    }
    assert!(open.is_empty(), "not closed: {open:?}");
    found
}

/// Reads behind `<`: the element, whether it closes itself, and what follows.
fn start(text: &str) -> (Element, bool, &str) {
    let end = text.find([' ', '>', '/', '\n']).unwrap();
    let mut element = Element { name: text[..end].to_owned(), attributes: Vec::new(), text: String::new() };
    let mut rest = text[end..].trim_start();
    loop {
        if let Some(behind) = rest.strip_prefix("/>") {
            return (element, true, behind);
        }
        if let Some(behind) = rest.strip_prefix('>') {
            return (element, false, behind);
        }
        let end = rest.find(['=', ' ', '>', '/']).unwrap();
        let name = rest[..end].to_owned();
        assert!(!name.is_empty(), "no attribute at {rest:.40}");
        let (value, behind) = match rest[end..].strip_prefix("=\"") {
            Some(quoted) => quoted.split_once('"').unwrap(),
            None => ("", &rest[end..]),
        };
        element.attributes.push((name, unescaped(value)));
        rest = behind.trim_start();
    }
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split('&');
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| {
        let (code, behind) =
            part.strip_prefix('#').and_then(|part| part.split_once(';')).expect("a bare ampersand");
        text + &char::from_u32(code.parse().unwrap()).unwrap().to_string() + behind
    })
}

/// What the page is made of, whatever it says.
pub(crate) fn skeleton(html: &str) -> Vec<(String, Vec<String>)> {
    elements(html).into_iter().map(Element::bones).collect()
}

pub(crate) fn all<'a>(elements: &'a [Element], name: &str) -> Vec<&'a Element> {
    elements.iter().filter(|element| element.name == name).collect()
}
