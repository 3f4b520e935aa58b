check "c" {
  data "aws_region" "inside" {}

  assert {
    condition     = length(data.aws_region.inside.nmae) > 0
    error_message = "No region."
  }
}

output "outside" {
  value = data.aws_region.inside.name
}
