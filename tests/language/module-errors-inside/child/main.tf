output "o" {
  value = var.missing
}

resource "terraform_data" "r" {
  inptu = 1
}
