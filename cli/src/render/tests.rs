//! Text of each kind of change, as a person sees it (without colours).
