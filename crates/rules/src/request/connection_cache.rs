//! What the requests of one connection have in common, made for the first of them.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Uri, Version};

use super::authority::only_host;
use super::{Authority, AuthorityError, ClientAddress, Scheme};

/// A connection nearly always brings requests of one client for one host: what was made for the first is used
/// again for those that say the same, byte by byte. Whatever differs is made anew, so that the memo saves work
/// and decides nothing. It holds no part of a request's buffer.
#[derive(Clone, Debug, Default)]
pub struct ConnectionCache {
    host: OnceLock<(HeaderValue, Authority)>,
    origin: OnceLock<(Origin, Arc<OriginFields>)>,
    extension: OnceLock<Arc<dyn Any + Send + Sync>>,
}

/// Whose request it is and how it was asked for: all that [`OriginFields`] are made of, beside the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Who asks, as trusted proxies tell it.
    pub client: ClientAddress,
    /// The scheme that the client used.
    pub scheme: Scheme,
    /// The host that the client asked for.
    pub authority: Authority,
    /// The version of HTTP that it came in.
    pub received: Version,
}

/// The fields that tell the app where a request came from.
#[derive(Debug)]
pub struct OriginFields {
    /// `Host`.
    pub host: HeaderValue,
    /// All that tell of the origin, without `Host`.
    pub fields: HeaderMap,
    /// The same as HTTP/1.1 writes them, each line with its end.
    pub lines: Bytes,
}

impl ConnectionCache {
    /// The same as [`Authority::of`].
    ///
    /// # Errors
    /// As [`Authority::of`].
    pub fn authority(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        version: Version,
    ) -> Result<Authority, AuthorityError> {
        // A target that names a host has to agree with the field each time.
        let alone = only_host(headers)?.filter(|_| uri.authority().is_none());
        if let (Some((known, authority)), Some(field)) = (self.host.get(), alone)
            && known == field
        {
            return Ok(authority.clone());
        }
        let authority = Authority::of(uri, headers, version)?;
        // A copy: the field itself would keep the whole buffer of its request alive, for as long as the connection
        // lasts.
        if let Some(own) = alone.and_then(|field| HeaderValue::from_bytes(field.as_bytes()).ok()) {
            let _ = self.host.set((own, authority.clone()));
        }
        Ok(authority)
    }

    /// The fields for `origin`: those of the first request where that had the same, else what `make` gives.
    pub fn origin(
        &self,
        origin: Origin,
        make: impl FnOnce(&Origin) -> Option<OriginFields>,
    ) -> Option<Arc<OriginFields>> {
        if let Some((known, fields)) = self.origin.get()
            && *known == origin
        {
            return Some(Arc::clone(fields));
        }
        let fields = Arc::new(make(&origin)?);
        let _ = self.origin.set((origin, Arc::clone(&fields)));
        Some(fields)
    }

    /// What another room keeps with the connection: what `make` gives the first time. There is room for one
    /// thing; `None` where it is of another type.
    pub fn extension<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Option<&T> {
        self.extension.get_or_init(|| Arc::new(make())).downcast_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(
        cache: &ConnectionCache,
        target: &str,
        hosts: &[&'static str],
    ) -> Result<String, AuthorityError> {
        let hosts = hosts.iter().map(|host| (http::header::HOST, HeaderValue::from_static(host)));
        let mut headers = HeaderMap::new();
        headers.extend(hosts);
        let authority = cache.authority(&target.parse().unwrap(), &headers, Version::HTTP_11)?;
        Ok(authority.to_string())
    }

    #[test]
    fn every_request_of_a_connection_is_for_the_host_that_it_names() {
        let cache = ConnectionCache::default();
        for _ in 0..2 {
            assert_eq!(asked(&cache, "/", &["A.example"]), Ok("a.example".into()));
            assert_eq!(asked(&cache, "/", &["b.example"]), Ok("b.example".into()));
            assert_eq!(asked(&cache, "http://a.example/", &["A.example"]), Ok("a.example".into()));
            let twice = asked(&cache, "/", &["A.example", "A.example"]);
            assert_eq!(twice, Err(AuthorityError::Several));
            let other = asked(&cache, "http://b.example/", &["A.example"]);
            assert_eq!(other, Err(AuthorityError::Disagreement));
            assert_eq!(asked(&cache, "/", &[]), Err(AuthorityError::Missing));
        }
    }

    #[test]
    fn fields_are_used_again_for_the_same_origin_alone() {
        let cache = ConnectionCache::default();
        let value = HeaderValue::from_static;
        let fields = |host| OriginFields { host: value(host), fields: HeaderMap::new(), lines: Bytes::new() };
        let first = Origin {
            client: ClientAddress::HIDDEN,
            scheme: Scheme::Http,
            authority: Authority::parse("a.example").unwrap(),
            received: Version::HTTP_11,
        };
        let others = [
            Origin { client: ClientAddress::new([127, 0, 0, 1].into()), ..first.clone() },
            Origin { scheme: Scheme::Https, ..first.clone() },
            Origin { authority: Authority::parse("a.example:81").unwrap(), ..first.clone() },
            Origin { received: Version::HTTP_10, ..first.clone() },
        ];
        assert_eq!(cache.origin(first.clone(), |_| Some(fields("1"))).unwrap().host, "1");
        assert_eq!(cache.origin(first, |_| None).unwrap().host, "1");
        for other in others {
            assert_eq!(cache.origin(other, |_| Some(fields("2"))).unwrap().host, "2");
        }
    }
}
