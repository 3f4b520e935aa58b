output "o" {
  value = "second"
}
