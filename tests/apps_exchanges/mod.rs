//! The smallest exchange of each app of the recipes that a gateway can break, with the fields that its client
//! sent when `tests/apps/run` tried the real one.

mod git;
mod jupyterlab;
mod node_red;
mod octoprint;
mod streamlit;
mod vite;
mod web_sockets;
mod webdav;
