//! The smallest exchange of each app of the recipes that a gateway can break, with the fields that its client
//! sent when `tests/apps/run` tried the real one.

mod cockpit;
mod docker_registry;
mod git;
mod jupyterlab;
mod mqtt;
mod node_red;
mod npm_registry;
mod octoprint;
mod prometheus;
mod streamlit;
mod vite;
mod web_sockets;
mod webdav;
