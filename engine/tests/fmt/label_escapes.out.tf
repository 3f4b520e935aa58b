a "xé" "q\"uote" "new\nline" "" {
}
b "\u0007" "😀" {
}
