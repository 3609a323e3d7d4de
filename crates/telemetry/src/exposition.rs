//! The two texts that metrics are read in.

use std::fmt::{self, Write as _};

use super::family::{Example, Family, Histogram, Labels, Points};

/// A text that metrics are read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposition {
    /// The text format of Prometheus, version 0.0.4: every reader knows it.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Exposition {
    /// The value of `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The text of all `families` that have values.
    ///
    /// # Errors
    /// Never: it is written to memory.
    pub(super) fn write(self, families: &[Family]) -> Result<String, fmt::Error> {
        let mut text = String::with_capacity(16 * 1024);
        for family in families.iter().filter(|family| !family.is_empty()) {
            self.write_family(family, &mut text)?;
        }
        if self == Self::OpenMetrics {
            text.push_str("# EOF\n");
        }
        Ok(text)
    }

    fn write_family(self, family: &Family, text: &mut String) -> fmt::Result {
        let name = family.full_name();
        let kind = match family.points {
            Points::Counter(_) => "counter",
            Points::Gauge(_) => "gauge",
            Points::Histogram(_) => "histogram",
        };
        // A counter is called `…_total` in both. OpenMetrics takes that for the sample's own ending, the older text for
        // a part of the metric's name.
        let declared = match (self, &family.points) {
            (Self::Text, Points::Counter(_)) => format!("{name}_total"),
            (Self::Text | Self::OpenMetrics, _) => name.clone(),
        };
        writeln!(text, "# HELP {declared} {}.", self.escaped_help(family.help))?;
        writeln!(text, "# TYPE {declared} {kind}")?;
        if let (Self::OpenMetrics, Some(unit)) = (self, family.unit()) {
            writeln!(text, "# UNIT {declared} {unit}")?;
        }
        match &family.points {
            Points::Counter(values) => write_values(&format!("{name}_total"), values, text),
            Points::Gauge(values) => write_values(&name, values, text),
            Points::Histogram(values) => {
                values.iter().try_for_each(|(labels, value)| self.write_histogram(&name, labels, value, text))
            }
        }
    }

    /// In the older text a quotation mark is no special letter there.
    fn escaped_help(self, help: &str) -> String {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        if self == Self::OpenMetrics { help.replace('"', "\\\"") } else { help }
    }

    fn write_histogram(
        self,
        name: &str,
        labels: &Labels,
        value: &Histogram,
        text: &mut String,
    ) -> fmt::Result {
        let mut count = 0;
        for bucket in &value.buckets {
            count += bucket.count;
            write_sample(&format!("{name}_bucket"), labels, Some(bucket.bound), text)?;
            write!(text, " {count}")?;
            // A reader of the older text takes none of the whole scrape where it finds one.
            if mutant!(self == Self::OpenMetrics, "exemplar-in-old-text" => true) {
                bucket.example.iter().try_for_each(|example| write_example(example, text))?;
            }
            text.push('\n');
        }
        write_sample(&format!("{name}_sum"), labels, None, text)?;
        writeln!(text, " {}", Number(value.sum))?;
        write_sample(&format!("{name}_count"), labels, None, text)?;
        writeln!(text, " {count}")
    }
}

fn write_example(example: &Example, text: &mut String) -> fmt::Result {
    let (seconds, millis) = (example.at.micros() / 1_000_000, example.at.micros() / 1_000 % 1_000);
    let took = example.took.as_secs_f64();
    write!(text, " # {{trace_id=\"{}\"}} {took} {seconds}.{millis:03}", example.trace)
}

fn write_values(name: &str, values: &[(Labels, f64)], text: &mut String) -> fmt::Result {
    values.iter().try_for_each(|(labels, value)| {
        write_sample(name, labels, None, text)?;
        writeln!(text, " {}", Number(*value))
    })
}

/// The name of a sample and its labels, with the bound of a bucket.
fn write_sample(name: &str, labels: &Labels, bound: Option<f64>, text: &mut String) -> fmt::Result {
    text.push_str(name);
    let mut before = '{';
    for (name, value) in labels {
        write!(text, "{before}{name}=\"{}\"", escaped_label(value))?;
        before = ',';
    }
    if let Some(bound) = bound {
        write!(text, "{before}le=\"{}\"", Bound(bound))?;
        before = ',';
    }
    if before == ',' {
        text.push('}');
    }
    Ok(())
}

fn escaped_label(value: &str) -> String {
    value.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")
}

/// A value: whole numbers without a point.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            f64::INFINITY => f.write_str("+Inf"),
            f64::NEG_INFINITY => f.write_str("-Inf"),
            value => write!(f, "{value}"), // `NaN` is written so
        }
    }
}

/// A bound: with a point always, as OpenMetrics has it, so that the same bucket is the same series in both texts.
struct Bound(f64);

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_finite() { write!(f, "{:?}", self.0) } else { Number(self.0).fmt(f) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use portcullis_rules::clock::Moment;
    use portcullis_trace::TraceId;

    use super::*;
    use crate::family::Bucket;

    fn families() -> Vec<Family> {
        let trace = TraceId::new([0xAB; 16]).unwrap();
        let (took, at) = (Duration::from_micros(1_250), Moment::from_micros(1_800_000_000_007_000));
        let bucket = |bound, count, example| Bucket { bound, count, example };
        let buckets = vec![
            bucket(0.000_25, 2, None),
            bucket(1.0, 1, Some(Example { trace, took, at })),
            bucket(f64::INFINITY, 0, None),
        ];
        let odd = vec![("route", "a\"b\\c\nd".to_owned())];
        vec![
            Family {
                name: "requests",
                help: "A \"quoted\" word\\",
                points: Points::Counter(vec![(odd, 3.0)]),
            },
            Family { name: "nothing", help: "Nothing", points: Points::Gauge(Vec::new()) },
            Family { name: "age_seconds", help: "Age", points: Points::Gauge(vec![(Vec::new(), 1.5)]) },
            Family {
                name: "duration_seconds",
                help: "Time",
                points: Points::Histogram(vec![(
                    vec![("route", "wiki".to_owned())],
                    Histogram { buckets, sum: 40.0 },
                )]),
            },
        ]
    }

    #[test]
    fn each_text_is_written_by_its_own_rules() {
        let samples = "portcullis_duration_seconds_bucket{route=\"wiki\",le=\"0.00025\"} 2\n\
                       portcullis_duration_seconds_bucket{route=\"wiki\",le=\"1.0\"} 3\n\
                       portcullis_duration_seconds_bucket{route=\"wiki\",le=\"+Inf\"} 3\n\
                       portcullis_duration_seconds_sum{route=\"wiki\"} 40\n\
                       portcullis_duration_seconds_count{route=\"wiki\"} 3\n";
        let counted = "portcullis_requests_total{route=\"a\\\"b\\\\c\\nd\"} 3\n";
        let text = format!(
            "# HELP portcullis_requests_total A \"quoted\" word\\\\.\n# TYPE portcullis_requests_total counter\n{counted}\
             # HELP portcullis_age_seconds Age.\n# TYPE portcullis_age_seconds gauge\nportcullis_age_seconds 1.5\n\
             # HELP portcullis_duration_seconds Time.\n# TYPE portcullis_duration_seconds histogram\n{samples}"
        );
        assert_eq!(Exposition::Text.write(&families()).unwrap(), text);
        let open = format!(
            "# HELP portcullis_requests A \\\"quoted\\\" word\\\\.\n# TYPE portcullis_requests counter\n{counted}\
             # HELP portcullis_age_seconds Age.\n# TYPE portcullis_age_seconds gauge\n# UNIT portcullis_age_seconds seconds\n\
             portcullis_age_seconds 1.5\n\
             # HELP portcullis_duration_seconds Time.\n# TYPE portcullis_duration_seconds histogram\n\
             # UNIT portcullis_duration_seconds seconds\n{}# EOF\n",
            samples.replace(
                "1.0\"} 3",
                &format!("1.0\"}} 3 # {{trace_id=\"{}\"}} 0.00125 1800000000.007", "ab".repeat(16))
            )
        );
        assert_eq!(Exposition::OpenMetrics.write(&families()).unwrap(), open);
    }

    #[test]
    fn what_is_no_number_is_spelt_as_both_texts_spell_it() {
        let spelt =
            [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 7.0, 1e21].map(|value| Number(value).to_string());
        assert_eq!(spelt, ["+Inf", "-Inf", "NaN", "7", "1000000000000000000000"]);
    }
}
