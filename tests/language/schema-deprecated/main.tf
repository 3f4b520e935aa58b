data "aws_region" "r" {
  count = 3
  name  = "eu-west-1"
}

data "aws_region" "module" {
  name = "eu-west-1"
}

output "name" {
  value = data.aws_region.r[0].name
}
