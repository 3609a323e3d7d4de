//! Fields of forms and queries.

use url::form_urlencoded;

/// Characters of a text at most: it goes to the log.
const LONGEST: usize = 256;

/// Fields at most: no page of ours has as many.
const MOST: usize = 32;

/// What a form or a query says, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads it; an empty value is none.
    ///
    /// # Errors
    /// In words, where a name stands twice, or there are more than any page of ours has.
    pub(super) fn read(written: &[u8]) -> Result<Self, String> {
        let mut fields = Vec::new();
        for (name, value) in form_urlencoded::parse(written).into_owned() {
            if fields.len() >= MOST {
                return Err(format!("More than {MOST} fields."));
            }
            if fields.iter().any(|(known, _)| *known == name) {
                return Err("A field stands there twice.".to_owned());
            }
            fields.push((name, value));
        }
        fields.retain(|(_, value)| !value.trim().is_empty());
        Ok(Self(fields))
    }

    /// The value of `name`, as it was written.
    pub(super) fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of `name`, without spaces around it.
    ///
    /// # Errors
    /// In words, where it is too long or has control characters.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, String> {
        let Some(value) = self.raw(name).map(str::trim) else { return Ok(None) };
        if value.chars().count() > LONGEST || value.chars().any(char::is_control) {
            return Err(format!(
                "“{name}” must have {LONGEST} characters at most, and no control characters."
            ));
        }
        Ok(Some(value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_read_once_and_no_value_is_larger_than_a_line_of_the_log_takes() {
        let fields = Fields::read(b"user=+alice+&host=&x=1").unwrap();
        assert_eq!(fields.text("user"), Ok(Some("alice".to_owned())));
        assert_eq!((fields.text("host"), fields.text("nothing")), (Ok(None), Ok(None)));
        assert!(Fields::read(b"user=a&user=b").is_err());
        for wrong in ["a".repeat(257), "a%0Ab".to_owned(), "a%00".to_owned()] {
            assert!(Fields::read(format!("user={wrong}").as_bytes()).unwrap().text("user").is_err());
        }
    }
}
