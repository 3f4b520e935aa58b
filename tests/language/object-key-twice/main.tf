output "last" {
  value = { k = 1, other = 2, k = 3, "k" = 4 }
}
