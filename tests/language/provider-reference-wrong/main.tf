resource "aws_vpc" "a" {
  provider   = aws.west.more
  cidr_block = "10.0.0.0/16"
}

resource "aws_vpc" "b" {
  provider   = "aws"
  cidr_block = "10.0.0.0/16"
}

resource "aws_vpc" "c" {
  provider   = upper("aws")
  cidr_block = "10.0.0.0/16"
}

resource "aws_vpc" "d" {
  provider   = null
  cidr_block = "10.0.0.0/16"
}

resource "aws_vpc" "e" {
  provider   = aws[0]
  cidr_block = "10.0.0.0/16"
}

resource "terraform_data" "f" {
  provider = terraform
}

resource "terraform_data" "g" {
  provider = aws
}
