//! What a person sees and what their keys do: a scene, keys, the screen after them.

mod keys;
mod lists;
mod live;
mod screens;
mod svg;
mod world;
