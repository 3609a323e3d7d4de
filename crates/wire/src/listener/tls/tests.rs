use rcgen::{
    BasicConstraints, CertificateParams, CertifiedKey, IsCa, KeyPair, date_time_ymd,
    generate_simple_self_signed,
};
use tempfile::TempDir;

use super::*;
use crate::listener::CertificateFiles;

fn write(directory: &TempDir, name: &str, text: &str) -> std::path::PathBuf {
    let path = directory.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn pair(directory: &TempDir, file: &str, names: &[&str]) -> CertificateFiles {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
    let cert = write(directory, &format!("{file}.crt"), &cert.pem());
    CertificateFiles { cert, key: write(directory, &format!("{file}.key"), &signing_key.serialize_pem()) }
}

fn load(certificates: Vec<CertificateFiles>) -> Result<CertificateStore, TlsError> {
    CertificateStore::load(&TlsSettings { certificates, tls12: true })
}

fn fault(certificates: Vec<CertificateFiles>) -> String {
    load(certificates).unwrap_err().to_string()
}

#[test]
fn exact_names_come_before_wildcards_and_the_first_is_the_default() {
    let directory = tempfile::tempdir().unwrap();
    let files = [&["default.example"][..], &["*.a.example"], &["x.a.example", "Upper.Example"]];
    let files =
        files.iter().enumerate().map(|(at, names)| pair(&directory, &at.to_string(), names)).collect();
    let store = load(files).unwrap();
    let (default, wild) = (Arc::clone(store.choose(None)), Arc::clone(store.choose(Some("y.a.example"))));
    let exact = store.choose(Some("x.a.example"));
    assert!(!Arc::ptr_eq(&default, &wild) && !Arc::ptr_eq(&wild, exact) && !Arc::ptr_eq(exact, &default));
    assert!(Arc::ptr_eq(store.choose(Some("X.A.EXAMPLE")), exact));
    assert!(Arc::ptr_eq(store.choose(Some("upper.example")), exact));
    for other in ["a.example", "z.y.a.example", "unknown.example", "", ".", "*.a.example.", "localhost"] {
        assert!(Arc::ptr_eq(store.choose(Some(other)), &default), "{other}");
    }
}

#[test]
fn every_fault_names_the_file_and_what_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let (good, other) = (pair(&directory, "good", &["a.example"]), pair(&directory, "other", &["a.example"]));
    let with_cert = |cert| CertificateFiles { cert, key: good.key.clone() };
    let with_key = |key| CertificateFiles { cert: good.cert.clone(), key };
    let empty = write(&directory, "empty.pem", "");
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let garbage = write(&directory, "garbage.pem", garbage);
    let missing = directory.path().join("missing.pem");
    let cases = [
        (with_key(other.key.clone()), "other.key does not belong"),
        (with_cert(empty.clone()), "empty.pem: expected a certificate in PEM"),
        (with_key(empty), "empty.pem: expected a private key in PEM"),
        (with_cert(good.key.clone()), "good.key: expected a certificate"),
        (with_key(good.cert.clone()), "good.crt: expected a private key"),
        (with_cert(garbage), "garbage.pem: certificate 1 is not readable"),
        (with_key(missing), "cannot read"),
    ];
    for (files, expected) in cases {
        let text = fault(vec![files]).replace(&format!("{}/", directory.path().display()), "");
        assert!(text.contains(expected), "{text}");
    }
    assert!(fault(Vec::new()).contains("at least one certificate"));
}

#[test]
fn a_chain_in_the_wrong_order_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let mut params = CertificateParams::new(vec!["ca.example".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap();
    let own = pair(&directory, "own", &["a.example"]);
    let chain = format!("{}{}", authority.pem(), std::fs::read_to_string(&own.cert).unwrap());
    let cert = write(&directory, "chain.pem", &chain);
    assert!(fault(vec![CertificateFiles { cert, key: own.key }]).contains("put the server's own first"));
}

#[test]
fn an_expired_certificate_is_loaded_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let mut params = CertificateParams::new(vec!["old.example".to_owned()]).unwrap();
    params.not_after = date_time_ymd(2001, 1, 1);
    params.not_before = date_time_ymd(2000, 1, 1);
    let key = KeyPair::generate().unwrap();
    let cert = write(&directory, "old.crt", &params.self_signed(&key).unwrap().pem());
    let key = write(&directory, "old.key", &key.serialize_pem());
    assert!(load(vec![CertificateFiles { cert, key }]).is_ok());
}
