data "aws_region" "r" {}
