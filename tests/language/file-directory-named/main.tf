output "o" {
  value = "fine"
}
