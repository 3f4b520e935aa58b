variable "name" {}

resource "terraform_data" "greeting" {
  count = 2
  input = "${var.name}${count.index}"
}

output "greeting" {
  value = join(",", terraform_data.greeting[*].input)
}
