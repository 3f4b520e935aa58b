output "place" {
  value = { k = 1, other = 2, k = var.nothing }
}
