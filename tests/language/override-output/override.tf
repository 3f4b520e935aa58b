output "o" {
  value = "override"
}

output "s" {
  sensitive = true
}
