//! What a person sees and what their keys do: a scene, keys, the screen after them.

mod keys;
mod lists;
mod live;
mod readme;
mod rows;
mod screens;
mod world;
