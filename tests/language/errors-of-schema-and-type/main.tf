resource "aws_vpc" "a" {
  cidr_blok = "10.0.0.0/16"
}

resource "aws_vpc" "b" {
  cidr_block = ["10.0.0.0/16"]
}

output "o" {
  value = upper(["a"])
}
