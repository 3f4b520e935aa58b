a "x$y" "%z" "$${w}" {
}
b "x$y" c {
}
