//! The longest path of a host, found segment by segment.

use std::collections::HashMap;

use http::Method;

use crate::route::PathPrefix;

/// A tree of segments; each node may be the end of some routes' paths.
#[derive(Clone, Debug, Default)]
pub(super) struct Paths {
    leaf: Option<Leaf>,
    below: HashMap<Box<str>, Self>,
}

/// The routes of one path, by index.
#[derive(Clone, Debug, Default)]
pub(super) struct Leaf {
    by_method: Vec<(Method, usize)>,
    otherwise: Option<usize>,
}

/// Which route of a path takes a method.
pub(super) enum MethodMatch {
    /// The index of its route.
    Route(usize),
    /// Only other methods have one.
    MethodNotAllowed,
}

impl Paths {
    /// Adds a route; gives back the route that already has its place.
    pub(super) fn insert(&mut self, path: &PathPrefix, methods: &[Method], index: usize) -> Option<usize> {
        let node = path.names().fold(self, |node, name| node.below.entry(name.into()).or_default());
        node.leaf.get_or_insert_default().insert(methods, index)
    }

    /// The routes of the longest path that holds `path`.
    pub(super) fn longest(&self, path: &str) -> Option<&Leaf> {
        let mut node = self;
        let mut longest = node.leaf.as_ref();
        for name in path.split('/').skip(1) {
            let Some(below) = node.below.get(name) else { break };
            node = below;
            longest = node.leaf.as_ref().or(longest);
        }
        longest
    }
}

impl Leaf {
    fn insert(&mut self, methods: &[Method], index: usize) -> Option<usize> {
        if methods.is_empty() {
            let taken = self.otherwise;
            self.otherwise = taken.or(Some(index));
            return taken;
        }
        let taken = methods.iter().filter_map(|method| self.named(method)).min();
        self.by_method.extend(methods.iter().map(|method| (method.clone(), index)));
        taken
    }

    fn named(&self, method: &Method) -> Option<usize> {
        self.by_method.iter().find(|(named, _)| named == method).map(|(_, index)| *index)
    }

    pub(super) fn choose(&self, method: &Method) -> MethodMatch {
        self.named(method).or(self.otherwise).map_or(MethodMatch::MethodNotAllowed, MethodMatch::Route)
    }

    pub(super) fn methods(&self) -> impl Iterator<Item = &Method> {
        self.by_method.iter().map(|(method, _)| method)
    }
}
