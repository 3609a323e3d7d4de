//! What every page promises.

mod gallery;

use std::{env, fs, path::Path};

use gallery::Words;

/// `PORTCULLIS_PAGES=FOLDER cargo test --lib pages_can_be_looked_at -- --ignored` writes every page there.
#[test]
#[ignore = "writes files to look at"]
fn pages_can_be_looked_at() {
    let folder = env::var_os("PORTCULLIS_PAGES").expect("PORTCULLIS_PAGES names a folder");
    for (name, page) in gallery::all(&Words::of_friends()) {
        fs::write(Path::new(&folder).join(format!("{name}.html")), page.html).unwrap();
    }
}
