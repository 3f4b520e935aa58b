provider "aws" {
  region = var.region
}

# Computed without a call: a token for a cluster of this name, good for 15 minutes.
data "aws_eks_cluster_auth" "this" {
  name = module.eks.cluster_name
}

# The cluster that this very run creates: address and authority are known only
# once it stands.
provider "kubernetes" {
  host                   = module.eks.cluster_endpoint
  cluster_ca_certificate = base64decode(module.eks.cluster_certificate_authority_data)
  token                  = data.aws_eks_cluster_auth.this.token
}
