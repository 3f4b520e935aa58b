resource "terraform_data" "r" {
  input = "in"
}

output "name" {
  value = terraform_data.r.input
}
