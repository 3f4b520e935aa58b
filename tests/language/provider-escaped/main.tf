provider "aws" {
  region = "us-east-1"

  _ {
    alias = "an argument of the provider, were there one"
  }
}
