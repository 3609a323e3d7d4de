//! What is believed of a transmitter's words about itself.

use super::*;
use crate::signals::{error::StreamError, metadata};

fn metadata_of(changes: &Value) -> Result<metadata::Metadata, StreamError> {
    let at = |path: &str| format!("{TRANSMITTER}{path}");
    let document = json!({
        "issuer": TRANSMITTER, "jwks_uri": at("/jwks"), "configuration_endpoint": at("/streams"),
        "status_endpoint": at("/status"), "verification_endpoint": at("/verify"), "spec_version": "1_0",
        "delivery_methods_supported": ["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"],
    });
    let address = metadata::address(&settings().transmitter).unwrap();
    metadata::checked(changed(document, changes).as_object().unwrap(), &address, &settings())
}

#[test]
fn the_metadata_are_between_host_and_path() {
    let address = |transmitter: &str| metadata::address(&Issuer::new(transmitter)).map(String::from);
    for (transmitter, expected) in [
        ("https://id.example", Some("https://id.example/.well-known/ssf-configuration")),
        ("https://id.example/", Some("https://id.example/.well-known/ssf-configuration")),
        ("https://id.example:8443/a/b/", Some("https://id.example:8443/.well-known/ssf-configuration/a/b")),
        ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080/.well-known/ssf-configuration")),
        ("http://id.example", None),
        ("https://id.example?a", None),
        ("https://id.example@evil.example", None),
        ("id.example", None),
    ] {
        assert_eq!(address(transmitter).as_deref(), expected, "{transmitter}");
    }
}

#[test]
fn invariant_16_metadata_of_another_and_endpoints_in_clear_text_are_not_used() {
    assert!(metadata_of(&json!({})).is_ok());
    assert!(metadata_of(&json!({"delivery_methods_supported": null, "status_endpoint": null})).is_ok());
    for (changes, said) in [
        (json!({"issuer": "https://evil.example"}), "issuer is https://evil.example"),
        (json!({"issuer": format!("{TRANSMITTER}/")}), "issuer is"),
        (json!({"issuer": null}), "issuer is"),
        (json!({"jwks_uri": null}), "jwks_uri is missing"),
        (json!({"configuration_endpoint": null}), "configuration_endpoint is missing"),
        (json!({"jwks_uri": "http://signals.corp.example/jwks"}), "jwks_uri is no URL"),
        (json!({"status_endpoint": "file:///etc/passwd"}), "status_endpoint is no URL"),
        (json!({"verification_endpoint": 1}), "verification_endpoint is no URL"),
        (json!({"configuration_endpoint": "http://127.0.0.1/"}), "configuration_endpoint is no URL"),
        (json!({"delivery_methods_supported": ["urn:ietf:rfc:8936"]}), "set another `delivery`"),
    ] {
        let error = metadata_of(&changes).unwrap_err().to_string();
        assert!(error.contains(said), "{changes}: {error}");
    }
}

#[test]
fn a_stream_of_another_transmitter_is_not_ours() {
    let world = World::new();
    let description = world.transmitter.description.clone();
    let read = |changes: &Value| {
        let stream = json!({"stream_id": "s", "iss": TRANSMITTER, "aud": "a", "description": description});
        Stream::read(changed(stream, changes).as_object().unwrap(), &settings(), false)
    };
    assert!(world.transmitter.is_ours(&read(&json!({})).unwrap()));
    let pushed = json!({"method": "urn:ietf:rfc:8935", "endpoint_url": "https://login.corp.example/.portcullis/signals/corp"});
    let undescribed = read(&json!({"description": null, "delivery": pushed})).unwrap();
    assert!(world.transmitter.is_ours(&undescribed), "told by where it sends");
    let elsewhere =
        json!({"description": "another gateway's", "delivery": {"endpoint_url": "https://x.example/"}});
    assert!(!world.transmitter.is_ours(&read(&elsewhere).unwrap()));
    for changes in [
        json!({"iss": "https://evil.example"}),
        json!({"iss": null}),
        json!({"stream_id": ""}),
        json!({"stream_id": 7}),
    ] {
        assert!(read(&changes).is_err(), "{changes}");
    }
}

#[test]
fn only_the_secret_of_the_stream_makes_a_sender() {
    let world = World::new();
    let secret = world.transmitter.push.as_ref().unwrap().authorization.clone();
    let transmitter = &world.transmitter;
    assert!(transmitter.is_sender(Some(secret.expose())));
    let token = secret.expose().trim_start_matches("Bearer ").to_owned();
    for shown in ["", "Bearer", &token, &format!("{} ", secret.expose()), &secret.expose()[..20]] {
        assert!(!transmitter.is_sender(Some(shown)), "{shown}");
    }
    assert!(!transmitter.is_sender(None));
    let polled = World::with(SignalsSettings { delivery: Delivery::Poll, ..settings() });
    let secret = polled.transmitter.push.as_ref().unwrap().authorization.clone();
    assert!(!polled.transmitter.is_sender(Some(secret.expose())), "nobody sends where signals are fetched");
}
