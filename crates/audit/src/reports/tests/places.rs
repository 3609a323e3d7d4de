//! A database of places, written by hand as its format says (MaxMind DB file format specification 2.0).

use std::net::IpAddr;

use super::*;

/// A value of the data section.
enum Data<'a> {
    Text(&'a str),
    Double(f64),
    Short(u16),
    Long(u32),
    Epoch(u64),
    /// A list without items.
    Nothing,
    Map(Vec<(&'a str, Data<'a>)>),
}

impl Data<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        let head = |kind: u8, size: usize| kind << 5 | u8::try_from(size).unwrap();
        match self {
            Data::Text(text) => {
                out.push(head(2, text.len()));
                out.extend_from_slice(text.as_bytes());
            }
            Data::Double(number) => {
                out.push(head(3, 8));
                out.extend_from_slice(&number.to_be_bytes());
            }
            Data::Short(number) => {
                out.push(head(5, 2));
                out.extend_from_slice(&number.to_be_bytes());
            }
            Data::Long(number) => {
                out.push(head(6, 4));
                out.extend_from_slice(&number.to_be_bytes());
            }
            // Of the types beyond seven the first byte holds the size alone, the second the type less seven.
            Data::Epoch(number) => {
                out.extend_from_slice(&[8, 2]);
                out.extend_from_slice(&number.to_be_bytes());
            }
            Data::Nothing => out.extend_from_slice(&[0, 4]),
            Data::Map(members) => {
                out.push(head(7, members.len()));
                for (name, value) in members {
                    Data::Text(name).write(out);
                    value.write(out);
                }
            }
        }
    }
}

/// Addresses that begin with a 0 bit are in Berlin, the others in Tokyo, and of those from 192 on nothing is known.
fn database() -> Vec<u8> {
    let place = |country, continent, latitude, longitude| {
        Data::Map(vec![
            ("country", Data::Map(vec![("iso_code", Data::Text(country))])),
            ("continent", Data::Map(vec![("code", Data::Text(continent))])),
            (
                "location",
                Data::Map(vec![
                    ("latitude", Data::Double(latitude)),
                    ("longitude", Data::Double(longitude)),
                    ("accuracy_radius", Data::Short(50)),
                ]),
            ),
        ])
    };
    let (mut data, nodes) = (Vec::new(), 2_u32);
    place("DE", "EU", 52.52, 13.40).write(&mut data);
    let second = u32::try_from(data.len()).unwrap();
    place("JP", "AS", 35.68, 139.69).write(&mut data);
    // Two nodes of two records of 24 bits: the first bit, and where it is 1, the second.
    let mut file = Vec::new();
    for record in [nodes + 16, 1, nodes + 16 + second, nodes] {
        file.extend_from_slice(&record.to_be_bytes()[1..]);
    }
    file.extend_from_slice(&[0; 16]);
    file.extend_from_slice(&data);
    file.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
    let metadata = Data::Map(vec![
        ("node_count", Data::Long(2)),
        ("record_size", Data::Short(24)),
        ("ip_version", Data::Short(4)),
        ("database_type", Data::Text("Test")),
        ("binary_format_major_version", Data::Short(2)),
        ("binary_format_minor_version", Data::Short(0)),
        ("build_epoch", Data::Epoch(START)),
        ("description", Data::Map(Vec::new())),
        ("languages", Data::Nothing),
    ]);
    metadata.write(&mut file);
    file
}

#[test]
fn a_database_says_where_addresses_are_and_of_others_nothing() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), database()).unwrap();
    let geo = Geo::open(file.path()).unwrap();
    let place = |address: &str| geo.place(address.parse::<IpAddr>().unwrap());
    let berlin = place("10.0.0.1").unwrap();
    assert_eq!((berlin.country.as_deref(), berlin.continent.as_deref()), (Some("DE"), Some("EU")));
    assert_eq!((berlin.at, berlin.radius_km), (Some((52.52, 13.40)), 50.0));
    assert_eq!(place("::ffff:128.0.0.1").unwrap().country.as_deref(), Some("JP"));
    assert_eq!((place("192.0.2.7"), place("2001:db8::1")), (None, None));
    std::fs::write(file.path(), b"nothing of the kind").unwrap();
    assert!(Geo::open(file.path()).is_err());
}

#[test]
fn a_journey_is_found_where_there_are_places_and_otherwise_it_is_said_that_nobody_looked() {
    use portcullis_events::SignInSucceeded;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), database()).unwrap();
    let geo = Geo::open(file.path()).unwrap();
    let mut rig = Rig::new();
    let who = person("alice");
    for first in [10, 130] {
        let caller = caller(IpAddr::from([first, 0, 0, 1]));
        rig.emit(&SignInSucceeded { caller, who: &who, session: u64::from(first), amr: &[], took: None });
        rig.pass(3_600);
    }
    rig.write();
    let known = Known { geo: Some(&geo), ..Known::default() };
    let frame = rig.answer(&rig.question(Report::Anomalies), &known);
    let travel = frame.rows.iter().find(|row| row[1] == Cell::Text("travel".into())).unwrap();
    assert!(
        matches!(&travel[3], Cell::Text(text) if text.contains("DE (10.0.0.0/24)") && text.contains("JP"))
    );
    assert!(matches!(&travel[4], Cell::Text(text) if text.contains("the same device")), "{travel:?}");
    let without = rig.report(Report::Anomalies);
    assert!(without.rows.iter().all(|row| row[1] != Cell::Text("travel".into())));
    assert!(without.notes.iter().any(|note| note.contains("no database of places was given")));
}
