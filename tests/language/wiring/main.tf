provider "aws" {
  alias  = "west"
  region = "us-west-2"
}

module "good" {
  source    = "./child"
  providers = { aws.peer = aws.west }
}

module "missing" {
  source = "./child"
}

module "unknown" {
  source = "./child"
  providers = {
    aws.peer  = aws.east
    aws.other = aws.west
  }
}

resource "aws_vpc" "a" {
  provider = aws.nope
}
