resource "a" "b" /* brace */ {
}
plain /* nothing */ {
}
