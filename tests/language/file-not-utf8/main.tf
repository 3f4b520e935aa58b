# First line.
output "o" {
  value = "café"
}
