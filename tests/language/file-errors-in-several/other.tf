variable "x" {
  typ = string
}

output "o" {
  description = "No value."
}
