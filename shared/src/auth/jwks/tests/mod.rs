//! Published keys: which are taken, what a token can do with them, and the server that
//! they come from.

mod algorithms;
mod document;
mod forge;
mod refresh;
mod server;
mod settings;
