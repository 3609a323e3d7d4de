mod browser;
mod code_flow;
mod world;
