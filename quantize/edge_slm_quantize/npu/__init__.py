"""Models compiled for NPUs: Qualcomm Hexagon (QNN) and Rockchip (RKNN)."""
