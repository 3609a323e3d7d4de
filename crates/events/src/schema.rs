//! The form of a line as a JSON Schema (draft 2020-12), made of the tables.

use std::fmt::Write as _;

use super::escape::Quoted;
use super::field::{Field, FieldRow, FieldType};
use super::kind::{Kind, KindRow};

/// What stands at the beginning of every line.
const HEAD: [Field; 4] = [Field::V, Field::Time, Field::Event, Field::Type];

/// The JSON Schema of all lines.
#[must_use]
pub fn schema() -> String {
    let kinds: Vec<_> = Kind::TABLE.iter().map(of_kind).collect();
    let fields: Vec<_> =
        Field::TABLE.iter().map(|row| format!("{}:{}", json(row.name), of_field(row))).collect();
    format!(
        "{{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\n\
         \"title\":\"Events of Portcullis\",\n\
         \"description\":\"One object a line. Fields and types may be added; none changes its meaning.\",\n\
         \"oneOf\":[\n{}\n],\n\"$defs\":{{\n{}\n}}}}\n",
        kinds.join(",\n"),
        fields.join(",\n")
    )
}

fn of_kind(row: &KindRow) -> String {
    let fields = HEAD.into_iter().filter(|field| *field != Field::Type).chain(row.kind.fields().iter());
    let properties = fields.fold(format!("\"type\":{{\"const\":{}}}", json(row.word)), |mut text, field| {
        let name = field.row().name;
        let _ = write!(text, ",\"{name}\":{{\"$ref\":\"#/$defs/{name}\"}}");
        text
    });
    let required: Vec<_> = HEAD.iter().chain(row.must).map(|field| json(field.row().name)).collect();
    format!(
        "{{\"title\":{},\"description\":{},\"type\":\"object\",\"properties\":{{{properties}}},\
         \"required\":[{}],\"additionalProperties\":false}}",
        json(row.word),
        json(row.doc),
        required.join(",")
    )
}

fn of_field(row: &FieldRow) -> String {
    let personal = if row.personal { ",\"x-personal\":true" } else { "" };
    format!("{{\"description\":{},{}{personal}}}", json(row.doc), of_type(row))
}

fn of_type(row: &FieldRow) -> String {
    const TEXT: &str = "{\"type\":\"string\"}";
    match row.kind {
        FieldType::Text => format!("\"type\":\"string\",\"maxLength\":{}", row.cap),
        FieldType::Word(words) => {
            let words: Vec<_> = words.iter().map(|word| json(word)).collect();
            format!("\"enum\":[{}]", words.join(","))
        }
        FieldType::Number => "\"type\":\"integer\",\"minimum\":0".into(),
        FieldType::Flag => "\"type\":\"boolean\"".into(),
        FieldType::Time => "\"type\":\"string\",\"format\":\"date-time\",\"maxLength\":27".into(),
        FieldType::Texts => format!("\"type\":\"array\",\"items\":{TEXT}"),
        FieldType::Changes => format!(
            "\"type\":\"array\",\"items\":{{\"type\":\"object\",\
             \"properties\":{{\"key\":{TEXT},\"before\":{TEXT},\"after\":{TEXT}}},\
             \"required\":[\"key\"],\"additionalProperties\":false}}"
        ),
    }
}

/// A text as JSON has it.
fn json(text: &str) -> String {
    let mut out = vec![b'"'];
    Quoted::new(&mut out, usize::from(u16::MAX)).push(text);
    out.push(b'"');
    String::from_utf8_lossy(&out).into_owned()
}
