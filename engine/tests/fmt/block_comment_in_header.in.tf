resource /* type */ "a" /* name */ "b" /* brace */ {
}
plain /* nothing */ {
}
