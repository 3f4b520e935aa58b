a "x\u00e9" "q\"uote" "new\nline" "" {
}
b "\u0007" "\U0001F600" {
}
