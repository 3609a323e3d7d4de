//! Where addresses are, as far as a file of the form of MaxMind's databases says it.

use std::net::IpAddr;
use std::path::Path;

use maxminddb::{Reader, path};

/// Where an address is said to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// The country, by its two letters.
    pub country: Option<String>,
    /// The continent, by its two letters.
    pub continent: Option<String>,
    /// Latitude and longitude, in degrees.
    pub at: Option<(f64, f64)>,
    /// How far off that may be, in kilometres.
    pub radius_km: f64,
}

/// A database of places.
#[derive(Debug)]
pub struct Geo(Reader<Vec<u8>>);

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct GeoError {
    path: String,
    reason: String,
}

/// How far off a place may be of which the database does not say it, in kilometres.
const FAR: f64 = 1_000.0;

/// The radius of the earth, in kilometres.
const EARTH: f64 = 6_371.0;

impl Geo {
    /// Reads a database.
    ///
    /// # Errors
    /// Where the file cannot be read, or is no such database.
    pub fn open(file: &Path) -> Result<Self, GeoError> {
        let fault = |reason: String| GeoError { path: file.display().to_string(), reason };
        let bytes = std::fs::read(file).map_err(|error| fault(error.to_string()))?;
        Reader::from_source(bytes).map(Self).map_err(|error| fault(error.to_string()))
    }

    /// Where an address is; none where the database does not know it.
    #[must_use]
    pub fn place(&self, address: IpAddr) -> Option<Place> {
        let found = self.0.lookup(address.to_canonical()).ok().filter(|found| found.has_data())?;
        let text = |of: &str| -> Option<String> {
            let key = if of == "continent" { "code" } else { "iso_code" };
            found.decode_path(&path![of, key]).ok().flatten()
        };
        let number = |name: &str| found.decode_path::<f64>(&path!["location", name]).ok().flatten();
        let radius = found.decode_path::<u16>(&path!["location", "accuracy_radius"]).ok().flatten();
        let at = number("latitude").zip(number("longitude"));
        Some(Place {
            country: text("country"),
            continent: text("continent"),
            at: at.filter(|(latitude, longitude)| latitude.abs() <= 90.0 && longitude.abs() <= 180.0),
            radius_km: radius.map_or(FAR, f64::from),
        })
    }
}

/// How far it is from one to the other over the ground, in kilometres.
pub(super) fn distance_km(one: (f64, f64), other: (f64, f64)) -> f64 {
    let [latitude, longitude] = [(one.0, other.0), (one.1, other.1)].map(|(a, b)| (b - a).to_radians());
    let half = (latitude / 2.0).sin().powi(2)
        + one.0.to_radians().cos() * other.0.to_radians().cos() * (longitude / 2.0).sin().powi(2);
    2.0 * EARTH * half.sqrt().clamp(0.0, 1.0).asin()
}
