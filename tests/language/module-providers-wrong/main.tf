provider "aws" {
  alias  = "west"
  region = "us-west-2"
}

module "list" {
  source    = "./child"
  providers = [aws.west]
}

module "values" {
  source = "./child"
  providers = {
    aws          = aws.west.more
    kubernetes   = "text"
    (upper("a")) = aws.west
  }
}

module "kubernetes" {
  source = "./child"
  providers = {
    aws     = aws.west
    "aws.b" = aws
  }
}
