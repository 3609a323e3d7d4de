//! Room: authn.
