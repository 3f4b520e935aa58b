terraform {
  backend "local" {
    path = "a"
  }
}
